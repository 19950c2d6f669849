#[automatically_derived]
impl<'a> ::tapelog::__private::order::OrderContext for Order<'a> {}
#[automatically_derived]
impl<'a> ::tapelog::__private::order::HasNotional for Order<'a> {
    fn notional(&self) -> impl ::tapelog::__private::Value {
        ::tapelog::__private::held(self.qty * self.px)
    }
}
#[automatically_derived]
impl<'a> ::tapelog::__private::order::HasSymbol for Order<'a> {
    fn symbol(&self) -> impl ::tapelog::__private::Value {
        ::tapelog::__private::held(&self.symbol)
    }
}
#[automatically_derived]
impl<'a> ::tapelog::__private::order::HasQty for Order<'a> {
    fn qty(&self) -> impl ::tapelog::__private::Value {
        ::tapelog::__private::held(&self.qty)
    }
}
#[automatically_derived]
impl<'a> ::tapelog::__private::order::HasLimitPx for Order<'a> {
    fn limit_px(&self) -> impl ::tapelog::__private::Value {
        ::tapelog::__private::held(&self.px)
    }
}
