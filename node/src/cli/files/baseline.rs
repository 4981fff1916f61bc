//! What the files of a folder were when they and the space last agreed.
//!
//! Without it a file that others have edited in the space meanwhile cannot be told from one that was edited here: an import would
//! take their words out again, an export would overwrite a person's. It is kept in the data folder, never in the folder of
//! files. What is missing or damaged here costs care, not data: an import then takes the file as it is, an export leaves it.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use crate::store::open_private;

/// In the data folder.
const FOLDER: &str = "folders";
const CONTEXT: &str = "weft/folder baseline/1";

/// The texts of one folder and one space.
#[derive(Debug)]
pub(crate) struct Baseline {
    folder: PathBuf,
    /// Nothing is written when somebody only wants to see what would happen.
    keeps: bool,
}

impl Baseline {
    /// That of the folder of files at `files`, which is an absolute path without links.
    pub(crate) fn of(data: &Path, space: &str, files: &Path, keeps: bool) -> Baseline {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(space.as_bytes()).update(&[0]).update(files.as_os_str().as_bytes());
        Baseline { folder: data.join(FOLDER).join(&hasher.finalize().to_hex()[..32]), keeps }
    }

    /// The text on which the file of an object and the space last agreed.
    pub(crate) fn get(&self, object: &str) -> Option<String> {
        let bytes = fs::read(self.folder.join(name(object)?)).ok()?;
        let (hash, text) = bytes.split_at_checked(blake3::OUT_LEN)?;
        // A crash can leave a file that is cut short: it would be taken for what somebody deleted.
        if blake3::hash(text).as_bytes() != hash {
            return None;
        }
        String::from_utf8(text.to_vec()).ok()
    }

    /// They agree on this text now. Not durable at once: see above.
    pub(crate) fn put(&self, object: &str, text: &str) -> io::Result<()> {
        let Some(name) = name(object).filter(|_| self.keeps) else { return Ok(()) };
        if self.get(object).is_some_and(|kept| kept == text) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let beside = self.folder.join(format!(".{}", std::process::id()));
        // Left over from a process of the same id that died.
        let _ = fs::remove_file(&beside);
        let mut file = open_private(&beside)?;
        file.write_all(blake3::hash(text.as_bytes()).as_bytes())?;
        file.write_all(text.as_bytes())?;
        fs::rename(&beside, self.folder.join(name))
    }

    /// Forgets every object that is none of these.
    pub(crate) fn keep_only(&self, objects: &BTreeSet<&str>) {
        let Ok(kept) = fs::read_dir(&self.folder) else { return };
        for file in kept.flatten().filter(|_| self.keeps) {
            if !file.file_name().to_str().is_some_and(|name| objects.contains(name)) {
                // What stays takes room and does no harm.
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

/// An object's id as a file's name.
fn name(object: &str) -> Option<&str> {
    let is_id = !object.is_empty() && object.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then_some(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_for_its_folder_and_space_and_damage_is_seen() {
        let data = tempfile::tempdir().unwrap();
        let of = |space: &str, files: &str, keeps| Baseline::of(data.path(), space, Path::new(files), keeps);
        let baseline = of("space", "/files", true);
        assert_eq!(baseline.get("abc"), None);
        baseline.put("abc", "text").unwrap();
        baseline.put("abc", "other").unwrap();
        baseline.put("def", "").unwrap();
        assert_eq!((baseline.get("abc").as_deref(), baseline.get("def").as_deref()), (Some("other"), Some("")));
        assert_eq!(of("space", "/elsewhere", true).get("abc"), None);
        assert_eq!(of("other", "/files", true).get("abc"), None);

        let dry = of("space", "/files", false);
        dry.put("abc", "dry").unwrap();
        dry.keep_only(&BTreeSet::new());
        assert_eq!(dry.get("abc").as_deref(), Some("other"));
        assert_eq!(baseline.get("../abc"), None);

        let path = baseline.folder.join("abc");
        fs::write(&path, &fs::read(&path).unwrap()[..34]).unwrap();
        assert_eq!(baseline.get("abc"), None);
        fs::write(&path, b"").unwrap();
        assert_eq!(baseline.get("abc"), None);
        baseline.keep_only(&BTreeSet::from(["abc"]));
        assert_eq!((baseline.get("def"), path.exists()), (None, true));
    }
}
