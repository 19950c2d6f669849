const _: () = {
    use ::tapelog::__private as __tapelog;
    #[automatically_derived]
    impl __tapelog::Shaped for Side {
        fn shape(deep: u32) -> __tapelog::Shape {
            let _ = deep;
            __tapelog::Shape::OneOf(&["buy", "sell short"])
        }
    }
    #[automatically_derived]
    impl __tapelog::Value for Side {
        type Held<'__tapelog> = &'static str where Self: '__tapelog;
        #[inline]
        fn held(&self) -> &'static str {
            match self {
                Self::Buy => "buy",
                Self::SellShort => "sell short",
            }
        }
        #[inline]
        fn size(&self) -> usize {
            __tapelog::Value::size(__tapelog::Value::held(self))
        }
        #[inline]
        fn encode(&self, out: &mut __tapelog::Encoder<'_>) {
            __tapelog::Value::encode(__tapelog::Value::held(self), out);
        }
    }
};
