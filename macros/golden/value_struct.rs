const _: () = {
    use ::tapelog::__private as __tapelog;
    #[automatically_derived]
    impl<T> __tapelog::Structured for Quote<T>
    where
        T: ::tapelog::__private::Value,
    {
        #[inline]
        fn put_into<Out: __tapelog::Out>(&self, out: &mut Out) {
            match self {
                Self { px: field_0, venue: field_1 } => {
                    out.put(
                        &__tapelog::Map(
                            __tapelog::Entry(
                                "px",
                                __tapelog::held(field_0),
                                __tapelog::Entry(
                                    "venue",
                                    __tapelog::display(field_1),
                                    __tapelog::End,
                                ),
                            ),
                        ),
                    )
                }
            }
        }
    }
    #[automatically_derived]
    impl<T> __tapelog::Shaped for Quote<T>
    where
        T: ::tapelog::__private::Value,
        T: ::tapelog::__private::Shaped,
    {
        fn shape(deep: u32) -> __tapelog::Shape {
            let _ = deep;
            __tapelog::Shape::Object(
                __tapelog::shapes([
                    ("px", __tapelog::shape_inside::<T>(deep)),
                    ("venue", __tapelog::Shape::Text),
                ]),
            )
        }
    }
    #[automatically_derived]
    impl<T> __tapelog::Value for Quote<T>
    where
        T: ::tapelog::__private::Value,
    {
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
