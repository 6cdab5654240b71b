//! The web server: pages, package, the gateway before each server, and what the servers saw.

use std::io;
use std::path::PathBuf;

use axum::Router;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::log_api;
use crate::observed::Observed;
use crate::servers::Server;

/// What a site is made of.
#[derive(Default)]
pub struct Site {
    /// The servers to mount, each at its name.
    pub servers: Vec<Server>,
    /// The greeter's log.
    pub observed: Observed,
    /// Folders of files by path.
    pub folders: Vec<(String, PathBuf)>,
    /// Foreign pages that may call, besides the site's own.
    pub allow_origins: Vec<String>,
}

impl Site {
    /// All of it as one router.
    pub fn router(&self) -> io::Result<Router> {
        let servers: Value = self.servers.iter().map(Server::describe).collect();
        let mut router = Router::new()
            .route("/servers", get(|| async move { axum::Json(servers) }))
            .nest("/observed", log_api::router(&self.servers, self.observed.clone()));
        for (path, folder) in &self.folders {
            router = mount_folder(router, path, folder)?;
        }
        Ok(router.layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            // Files change under a developer's hands; the browser asks each time and mostly hears 304.
            HeaderValue::from_static("no-cache"),
        )))
    }
}

fn mount_folder(router: Router, path: &str, folder: &PathBuf) -> io::Result<Router> {
    if !folder.is_dir() {
        let text = format!("{} is no folder, so nothing can be served at {path}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let files = ServeDir::new(folder);
    Ok(match path {
        "/" => router.fallback_service(files.fallback(get(not_found))),
        path => router.nest_service(path.trim_end_matches('/'), files.fallback(get(not_found))),
    })
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there is no such file\n")
}
