const _: () = {
    use ::tapelog::__private as __tapelog;
    #[automatically_derived]
    impl __tapelog::Structured for Kind {
        #[inline]
        fn put_into<Out: __tapelog::Out>(&self, out: &mut Out) {
            match self {
                Self::Buy => out.put(&"buy"),
                Self::IOC => out.put(&"IOC"),
                Self::Held(field_0) => {
                    out.put(
                        &__tapelog::Map(
                            __tapelog::Entry(
                                "held",
                                __tapelog::held(field_0),
                                __tapelog::End,
                            ),
                        ),
                    )
                }
                Self::Named { px: field_0, no: _ } => {
                    out.put(
                        &__tapelog::Map(
                            __tapelog::Entry(
                                "named",
                                __tapelog::Map(
                                    __tapelog::Entry(
                                        "px",
                                        __tapelog::held(field_0),
                                        __tapelog::End,
                                    ),
                                ),
                                __tapelog::End,
                            ),
                        ),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl __tapelog::Shaped for Kind {
        fn shape(deep: u32) -> __tapelog::Shape {
            let _ = deep;
            __tapelog::Shape::Any
        }
    }
    #[automatically_derived]
    impl __tapelog::Value for Kind {
        type Held<'__tapelog> = &'__tapelog Self where Self: '__tapelog;
        #[inline]
        fn held(&self) -> &Self {
            self
        }
        #[inline]
        fn size(&self) -> usize {
            __tapelog::size_of(self)
        }
        #[inline]
        fn encode(&self, out: &mut __tapelog::Encoder<'_>) {
            __tapelog::encode(self, out);
        }
    }
};
