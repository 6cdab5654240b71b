//! For those who come from the crate tonic-web-wasm-client: its options.

use tonic_web_wasm_client::options::FetchOptions;
use wasm_bindgen::JsValue;
use web_sys::{RequestCache, RequestCredentials, RequestMode, RequestRedirect};

use super::Builder;

impl Builder {
    /// Takes over the options of `tonic_web_wasm_client::Client::new_with_options`. Its timeout becomes the deadline of calls
    /// that set none, and the server is told of it.
    pub fn fetch_options(self, options: FetchOptions) -> Self {
        let FetchOptions {
            cache,
            credentials,
            integrity,
            mode,
            redirect,
            referrer,
            referrer_policy,
            timeout,
        } = options;
        let text = |value: JsValue| value.as_string();
        let members = [
            ("cache", cache.and_then(|value| text(RequestCache::from(value).into()))),
            ("credentials", credentials.and_then(|value| text(RequestCredentials::from(value).into()))),
            ("integrity", integrity),
            ("mode", mode.and_then(|value| text(RequestMode::from(value).into()))),
            ("redirect", redirect.and_then(|value| text(RequestRedirect::from(value).into()))),
            ("referrer", referrer),
            (
                "referrerPolicy",
                referrer_policy.and_then(|value| text(web_sys::ReferrerPolicy::from(value).into())),
            ),
        ];
        let given = members.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let with_init = given.fold(self, |builder, (name, value)| builder.fetch_init(name, value));
        timeout.into_iter().fold(with_init, Self::timeout)
    }
}

#[cfg(all(test, feature = "js"))]
mod tests {
    use std::time::Duration;

    use tonic_web_wasm_client::options::{Cache, Credentials, FetchOptions, Mode, Redirect, ReferrerPolicy};
    use wasm_bindgen_test::wasm_bindgen_test;

    use crate::channel::Transport;
    use crate::channel::tests::troupe::{builder, channel, unary};
    use crate::js::tests::stage::{Stage, message};

    #[wasm_bindgen_test]
    async fn its_options_are_those_of_each_fetch() {
        let stage = Stage::new();
        let options = FetchOptions::new()
            .cache(Cache::NoStore)
            .credentials(Credentials::Include)
            .integrity("sha256-x".into())
            .mode(Mode::Cors)
            .redirect(Redirect::Error)
            .referrer("about:client".into())
            .referrer_policy(ReferrerPolicy::NoReferrer)
            .timeout(Duration::from_secs(9));
        let answer =
            unary(&channel(&stage, builder(Transport::Fetch).fetch_options(options)), &[], message("Ada"));
        let server = stage.fetch.exchange(0);
        for (member, value) in [
            ("cache", "no-store"),
            ("credentials", "include"),
            ("integrity", "sha256-x"),
            ("mode", "cors"),
            ("redirect", "error"),
            ("referrer", "about:client"),
            ("referrerPolicy", "no-referrer"),
        ] {
            assert_eq!(server.option(member), value, "{member}");
        }
        assert_eq!(server.header("grpc-timeout").unwrap(), "9000000u");
        drop(answer);
        stage.saw(&["fetch", "abort"]).await;
        stage.ends().await;
    }
}
