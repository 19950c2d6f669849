impl Router {
    #[::tapelog::log_performance]
    fn one(&self) {}
    const fn two() {}
    fn three(&self) {}
}
