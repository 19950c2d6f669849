use tapelog::{FutureExt, order};

async fn on_fill(id: String) {
    let context = order::resume(&id).context();
    async {}.in_context(context).await;
    order::closed(&id);
}

fn is_send<T: Send>(_: &T) {}

fn main() {
    let open = order::resume("c-1");
    assert_eq!(open.decision_id(), None);
    open.closed();
    is_send(&on_fill("c-2".to_owned()));
}
