//! What a case is handed: a channel, and the server's view of its call.

use tonic::Request;
use tonic::metadata::MetadataValue;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::clients::Wire;
use crate::proto::test_service_client::TestServiceClient;

#[wasm_bindgen]
extern "C" {
    /// Made by `tests/js/rust/scene.mjs`.
    pub type Scene;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn base(this: &Scene) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &Scene) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn protocol(this: &Scene) -> String;
    #[wasm_bindgen(method, getter)]
    fn id(this: &Scene) -> String;
    #[wasm_bindgen(method, catch)]
    async fn until(this: &Scene, what: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = goOn)]
    async fn go_on(this: &Scene) -> Result<JsValue, JsValue>;
}

/// One case's channel and server.
pub(crate) struct Test<C> {
    pub(crate) channel: C,
    pub(crate) scene: Scene,
}

impl<C: Wire> Test<C> {
    pub(crate) fn client(&self) -> TestServiceClient<C> {
        TestServiceClient::new(self.channel.clone())
    }

    /// With the metadata by which the server's log knows the call.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let id: MetadataValue<_> = self.scene.id().parse().unwrap();
        request.metadata_mut().insert("x-call-id", id);
        request
    }

    /// Waits until the server has seen this of the call, and gives the detail of it as JSON.
    pub(crate) async fn server_sees(&self, what: &str) -> String {
        let seen = self.scene.until(what).await;
        let seen = seen.unwrap_or_else(|error| panic!("waiting for `{what}`: {error:?}"));
        seen.as_string().unwrap_or_default()
    }

    /// Lets the fake server send the rest of its answer.
    pub(crate) async fn server_goes_on(&self) {
        self.scene.go_on().await.unwrap();
    }
}
