use tapelog::decision;

const LIMIT: f64 = 20.0;
static START: u32 = 1;
const SITE: u32 = 2;

#[decision(fields(limit = LIMIT, start = START, site = SITE, call = limit_of(3)))]
fn method_like(px: f64) -> Result<f64, String> {
    const LIMIT: f64 = 1.0;
    Ok(px * LIMIT + f64::from(START + SITE))
}

struct This;
impl This {
    const X: u32 = 3;
    #[decision(fields(x = Self::X, y = self.y(), z = <Self as Clone>::clone(self).y()))]
    fn method(&self) -> Result<u32, String> {
        Ok(Self::X)
    }
    fn y(&self) -> u32 {
        1
    }
}
impl Clone for This {
    fn clone(&self) -> Self {
        This
    }
}

const fn limit_of(x: u32) -> u32 {
    x
}

fn main() {
    let _ = (LIMIT, limit_of(1));
    This.method().unwrap();
}
