//! Where everything lives that is downloaded or built once: `$TIDEWIRE_CACHE`, else `$XDG_CACHE_HOME/tidewire`,
//! else `~/.cache/tidewire`.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use crate::exec::{Error, Result, doing};

/// The cache folder; made when it is missing.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("TIDEWIRE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|home| home.join("tidewire")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/tidewire")))
        .ok_or_else(|| Error::failed("no cache folder: set TIDEWIRE_CACHE or HOME"))?;
    doing(format_args!("cannot make the cache folder {}", folder.display()), fs::create_dir_all(&folder))?;
    doing(format_args!("cannot find the cache folder {}", folder.display()), folder.canonicalize())
}

/// Keeps a second xtask from setting up or building at the same time; released when dropped.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = doing(format_args!("cannot open the lock {}", path.display()), File::create(path))?;
    if file.try_lock().is_err() {
        crate::say(format_args!("waiting for another cargo xtask ({})", path.display()));
        doing(format_args!("cannot lock {}", path.display()), file.lock())?;
    }
    Ok(file)
}

/// Runs `work` unless it was done for just this `content` before. The stamp is written only after success.
pub(crate) fn once(stamp: &Path, content: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    if fs::read_to_string(stamp).is_ok_and(|done| done == content) {
        return Ok(());
    }
    work()?;
    doing(format_args!("cannot write {}", stamp.display()), fs::write(stamp, content))
}

/// A hash over files (sorted by name, folders with all that is in them): to see whether sources changed.
pub(crate) fn hash(paths: &[PathBuf]) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        list(path, &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        hasher.write(file.as_os_str().as_encoded_bytes());
        hasher.write(&doing(format_args!("cannot read {}", file.display()), fs::read(&file))?);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in doing(format_args!("cannot list {}", path.display()), fs::read_dir(path))? {
        list(&doing(format_args!("cannot list {}", path.display()), entry)?.path(), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("tidewire-xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn work_is_done_once_per_content_and_again_after_a_failure() {
        let folder = scratch("once");
        let stamp = folder.join("stamp");
        assert!(once(&stamp, "a", || Err(Error::failed("no"))).is_err());
        let mut done = 0;
        for content in ["a", "a", "b"] {
            once(&stamp, content, || {
                done += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(done, 2);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_hash_follows_names_and_contents() {
        let folder = scratch("hash");
        let hash = || hash(std::slice::from_ref(&folder)).unwrap();
        fs::write(folder.join("a"), "1").unwrap();
        let first = hash();
        assert_eq!(hash(), first);
        fs::write(folder.join("a"), "2").unwrap();
        assert_ne!(hash(), first);
        fs::write(folder.join("a"), "1").unwrap();
        fs::write(folder.join("b"), "").unwrap();
        assert_ne!(hash(), first);
        fs::remove_dir_all(folder).unwrap();
    }
}
