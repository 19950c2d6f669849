//! tapelog for services. (In the making: tower, reqwest, WebSockets, sqlx.)
