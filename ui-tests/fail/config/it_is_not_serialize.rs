use tapelog::config::ConfigSnapshot;

#[derive(ConfigSnapshot)]
struct Engine {
    #[config(secret)]
    login: String,
}

#[derive(ConfigSnapshot)]
union Either {
    a: u32,
    b: f32,
}

fn main() {}
