//! A list of cases is a list of async functions over [`Test`](crate::scene::Test).

/// Makes `NAMES`, and `run`, which runs one by its name.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

        pub(crate) async fn run<C: crate::clients::Wire>(name: &str, test: crate::scene::Test<C>) {
            match name {
                $(stringify!($name) => $name(test).await,)*
                _ => panic!("no case is called `{name}`"),
            }
        }
    };
}
