//! The certificate of the TLS port.

use std::io;
use std::path::{Path, PathBuf};

use tidewire_gateway::Tls;

/// Whose certificate is shown.
pub enum Identity {
    /// That of PEM files.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// One made now, for `localhost`; no browser trusts it unless told.
    SelfSigned,
}

impl Identity {
    /// What the TLS port needs.
    pub fn load(&self) -> io::Result<Tls> {
        let (chain, key) = match self {
            Self::Files { cert, key } => (read("certificate", cert)?, read("key", key)?),
            Self::SelfSigned => self_signed()?,
        };
        Tls::new(&chain, &key).map_err(io::Error::other)
    }
}

fn self_signed() -> io::Result<(Vec<u8>, Vec<u8>)> {
    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    Ok((made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes()))
}

fn read(what: &str, path: &Path) -> io::Result<Vec<u8>> {
    let unreadable =
        |error| io::Error::other(format!("the TLS {what} {} cannot be read: {error}", path.display()));
    std::fs::read(path).map_err(unreadable)
}
