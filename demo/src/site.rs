//! The web server: pages, package, the gateway before each server, and what the servers saw.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tidewire_gateway::{Gateway, Limits};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeader;

use crate::behaviour::MAX_MESSAGE_BYTES;
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
        self.check_paths()?;
        let servers: Value = self.servers.iter().map(Server::describe).collect();
        let mut router = Router::new()
            .route("/servers", get(|| async move { axum::Json(servers) }))
            .nest("/observed", log_api::router(&self.servers, self.observed.clone()));
        for server in &self.servers {
            router = router.nest(&format!("/{}", server.name), self.gateway(server)?.router());
        }
        for (path, folder) in &self.folders {
            router = mount_folder(router, path, folder)?;
        }
        Ok(router)
    }

    /// Two things at one path would make the router panic.
    fn check_paths(&self) -> io::Result<()> {
        let mut taken = BTreeSet::from(["observed", "servers"]);
        let names = self.servers.iter().map(|server| server.name.as_str());
        let folders = self.folders.iter().map(|(path, _)| path.trim_matches('/'));
        match names.chain(folders).find(|path| !taken.insert(*path)) {
            Some(path) => {
                let text = format!("/{path} would have two meanings: choose another name or path");
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
            None => Ok(()),
        }
    }

    /// Bounds as wide as the greeter's.
    pub fn limits() -> Limits {
        Limits {
            max_message_bytes: MAX_MESSAGE_BYTES as u32,
            max_header_bytes: 64 << 10,
            ..Limits::default()
        }
    }

    fn gateway(&self, server: &Server) -> io::Result<Gateway> {
        let builder = Gateway::builder().upstream(server.upstream.to_string());
        let builder = self.allow_origins.iter().fold(builder, |builder, origin| builder.allow_origin(origin));
        builder.limits(Self::limits()).build().map_err(io::Error::other)
    }
}

fn mount_folder(router: Router, path: &str, folder: &Path) -> io::Result<Router> {
    if !folder.is_dir() {
        let text = format!("{} is no folder, so nothing can be served at {path}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let files = ServeDir::new(folder).fallback(get(not_found));
    // Files change under a developer's hands; the browser asks each time and mostly hears 304.
    let no_cache = HeaderValue::from_static("no-cache");
    let files = SetResponseHeader::overriding(files, header::CACHE_CONTROL, no_cache);
    Ok(match path {
        "/" => router.fallback_service(files),
        path => router.nest_service(path.trim_end_matches('/'), files),
    })
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "there is no such file\n")
}
