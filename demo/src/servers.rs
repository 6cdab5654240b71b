//! The servers that the pages can choose from, and where the log of each is read.

use std::str::FromStr;

use http::Uri;
use serde_json::{Value, json};

/// Paths that belong to the site itself.
const TAKEN: [&str; 4] = ["observed", "servers", "tidewire", "upstream"];

/// One server behind the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The path it is mounted at.
    pub name: String,
    /// One line for people.
    pub about: String,
    /// Where the gateway reaches it.
    pub upstream: Uri,
    /// Where its log is.
    pub log: Log,
}

/// Where the observed log of a server is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// It is our own greeter.
    Here,
    /// At `<URL>/observed/<call id>`.
    At(Uri),
    /// It keeps none.
    None,
}

impl Server {
    /// The greeter of this process.
    pub fn tonic(upstream: Uri) -> Self {
        let about = "tonic (Rust), in the demo's own process".into();
        Self { name: "tonic".into(), about, upstream, log: Log::Here }
    }

    /// Any other server, of which only the address is known.
    pub fn foreign(upstream: Uri) -> Self {
        Self { name: "upstream".into(), about: format!("the server at {upstream}"), upstream, log: Log::None }
    }

    /// As `GET /servers` lists it.
    pub fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "about": self.about,
            "upstream": self.upstream.to_string(),
            "observed": self.log != Log::None,
        })
    }
}

/// `NAME=URL[,observed=URL][,about=TEXT]`
impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once('=').ok_or("expected NAME=URL[,observed=URL][,about=TEXT]")?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(format!("the name `{name}` becomes a path: use a to z, 0 to 9, `-` and `.`"));
        }
        if name == "tonic" || TAKEN.contains(&name) {
            return Err(format!("the name `{name}` is taken by the demo itself"));
        }
        let mut parts = rest.split(',');
        let upstream = http_uri(parts.next().unwrap_or_default())?;
        let mut server = Self { name: name.into(), log: Log::None, ..Self::foreign(upstream) };
        for part in parts {
            match part.split_once('=') {
                Some(("observed", url)) => server.log = Log::At(http_uri(url)?),
                Some(("about", about)) => server.about = about.into(),
                _ => return Err(format!("`{part}` is neither observed=URL nor about=TEXT")),
            }
        }
        Ok(server)
    }
}

/// A URL with scheme and host, without a path.
pub fn http_uri(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("`{text}` is no URL: {error}"))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.path() == "/" && uri.query().is_none() => Ok(uri),
        _ => Err(format!("expected http://HOST:PORT or https://HOST:PORT without a path, got `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_names_its_server_and_its_log() {
        let server: Server =
            "dubbo-go-v3.3.0=http://127.0.0.1:20000,observed=http://127.0.0.1:20001".parse().unwrap();
        assert_eq!(server.name, "dubbo-go-v3.3.0");
        assert_eq!(server.upstream, "http://127.0.0.1:20000");
        assert_eq!(server.log, Log::At("http://127.0.0.1:20001".parse().unwrap()));

        let server: Server = "x=https://example.org,about=mine".parse().unwrap();
        assert_eq!((server.about.as_str(), server.log), ("mine", Log::None));
    }

    #[test]
    fn a_wrong_mount_says_what_is_wrong() {
        for (text, complaint) in [
            ("dubbo", "expected NAME=URL"),
            ("a/b=http://x", "becomes a path"),
            ("..=http://x", "becomes a path"),
            ("tidewire=http://x", "taken"),
            ("x=localhost:80", "expected http://HOST:PORT"),
            ("x=http://h/path", "without a path"),
            ("x=http://h,see=http://y", "neither observed"),
        ] {
            let error = text.parse::<Server>().unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }
}
