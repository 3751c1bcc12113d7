//! The code of a test: a snippet, modules, or a file beside it.

use crate::config::{Reader, path};
use crate::model::{Artifact, ArtifactError, ModuleName};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Most bytes of a file of code: one more than a profile can allow, so that tests reach past that limit.
const FILE_BYTES_MAX: u64 = (16 << 20) + 1;

/// Most bytes of one module inside a file of tests: as many as the file may have.
const TEXT_BYTES_MAX: usize = 1 << 20;

const MEND: &str = "write one of: code = \"…\"; modules = { \"main.ts\" = \"…\" } and main = \"main.ts\"; file = \"snippet.ts\"";

/// Reads the one of `code`, `modules` and `file` that is there.
pub(super) fn artifact(reader: &mut Reader<'_>, folder: Option<&Path>) -> Option<Artifact> {
    let code = reader.long_text("code", TEXT_BYTES_MAX);
    let modules = modules(reader);
    let file = reader.checked("file", "write a file's path, relative to the folder of tests", path);
    match ["code", "modules", "file"].iter().filter(|key| reader.has(key)).count() {
        1 => {}
        0 => {
            reader.note_at("name", "the test has no code and no request", MEND);
            return None;
        }
        _ => {
            reader.note_at("name", "the test has more than one of `code`, `modules` and `file`", MEND);
            return None;
        }
    }
    code.map(Artifact::snippet).or(modules).or_else(|| from_file(reader, folder, &file?))
}

fn modules(reader: &mut Reader<'_>) -> Option<Artifact> {
    let name = |text: &str| ModuleName::try_from(text.to_owned()).map_err(|error| error.to_string());
    let texts = reader
        .long_text_map("modules", "name modules by plain relative paths, such as lib/math.ts", TEXT_BYTES_MAX, |text| name(text).map(drop));
    let main = reader.checked("main", "name the module where runs start", name);
    if !reader.has("modules") {
        if reader.has("main") {
            reader.note_at("main", "`main` is there without `modules`", "remove it, or write `modules`");
        }
        return None;
    }
    reader.require(&["main"]);
    let modules: BTreeMap<ModuleName, String> = texts.into_iter().filter_map(|(text, code)| Some((name(&text).ok()?, code))).collect();
    let wrong = |error: ArtifactError| reader.note_at("main", error.to_string(), "name one of the modules");
    Artifact::new(modules, main?).map_err(wrong).ok()
}

fn from_file(reader: &Reader<'_>, folder: Option<&Path>, file: &Path) -> Option<Artifact> {
    let wrong = |why: String| {
        reader.note_at("file", format!("`{}`: {why}", file.display()), "name a file of UTF-8 text beside the test, .js, .mjs, .ts or .mts")
    };
    let Some(folder) = folder else {
        reader.note_at("file", "a built-in test has no files", "write the code here");
        return None;
    };
    contents(&folder.join(file)).and_then(|code| named(file, code)).map_err(wrong).ok()
}

fn named(file: &Path, code: String) -> Result<Artifact, String> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = ModuleName::try_from(name).map_err(|error| error.to_string())?;
    Artifact::new(BTreeMap::from([(name.clone(), code)]), name).map_err(|error| error.to_string())
}

/// The text of a file, which is no pipe or device that might never end.
fn contents(path: &Path) -> Result<String, String> {
    let wrong = |error: std::io::Error| format!("it cannot be read: {error}");
    if !std::fs::metadata(path).map_err(wrong)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    std::fs::File::open(path).map_err(wrong)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(wrong)?;
    if text.len() as u64 > FILE_BYTES_MAX { Err(format!("it has more than {FILE_BYTES_MAX} bytes")) } else { Ok(text) }
}
