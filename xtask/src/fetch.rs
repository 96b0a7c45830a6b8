//! `cargo xtask fetch`: Cint's document of a date into a cache outside the repository.
//! Says whether it is the one that was imported, and what the cache had before; without a network it says so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::document::index::Index;
use crate::document::source::Source;
use crate::import::bare_date;
use crate::workspace::Workspace;

/// Where Cint publishes its documents; `{date}` stands for the version.
pub(crate) const CINT: &str = "https://developer.cint.com/demand/specs/demand_openapi_v1_{date}.yaml";
/// The longest that a download may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest document that is taken; Cint's largest has less than one megabyte.
const MAX_BYTES: usize = 50 * 1024 * 1024;

/// What to fetch, from where, to where.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) date: String,
    /// The address, with `{date}` in it.
    pub(crate) url: String,
    /// The folder of the cache.
    pub(crate) cache: PathBuf,
}

/// What stands beside a document in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    url: String,
    sha256: String,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
}

/// What was fetched, and how it compares.
#[derive(Debug)]
pub(crate) struct Fetched {
    #[cfg(test)]
    pub(crate) file: PathBuf,
    pub(crate) report: String,
}

/// The folder for downloads where none is named: the user's cache, never the repository.
pub(crate) fn default_cache() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .context("no cache folder is known here; name one with --cache")?;
    Ok(base.join("cintx").join("documents"))
}

/// Runs the command.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Fetched> {
    let Options { date, url, cache } = options;
    ensure!(bare_date(date).as_deref() == Some(date), "{date:?} is not a date of the form YYYY-MM-DD");
    ensure!(url.contains("{date}"), "the address {url:?} has no {{date}} in it");
    ensure!(!is_inside(cache, workspace.root()), "the cache {} is inside the repository", cache.display());
    let url = url.replace("{date}", date);
    let file = cache.join(format!("{date}.yaml"));
    let record_file = cache.join(format!("{date}.toml"));
    let before: Option<Record> = std::fs::read_to_string(&record_file)
        .ok()
        .and_then(|text| toml::from_str(&text).ok())
        .filter(|_| file.is_file());

    let answer = download(&url).map_err(|error| {
        let kept = match &before {
            Some(record) => format!("the cache has the one of {}, in {}", said(record), file.display()),
            None => "the cache has none of this date".to_owned(),
        };
        error.context(format!("cannot fetch {url}; nothing has changed; {kept}"))
    })?;
    check(&answer.body).with_context(|| format!("{url} did not answer with an OpenAPI document"))?;
    let record = Record {
        url: url.clone(),
        sha256: Sha256::digest(answer.body.as_bytes()).iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
        bytes: answer.body.len(),
        last_modified: answer.last_modified,
        etag: answer.etag,
    };
    let mut report = format!("{url}\n  {} bytes, sha256 {}\n  {}", record.bytes, record.sha256, said(&record));
    match &before {
        None => report.push_str("\n  new in the cache"),
        Some(before) if before.sha256 == record.sha256 => report.push_str("\n  the same as in the cache"),
        Some(before) => {
            let _ =
                write!(report, "\n  differs from the one in the cache (sha256 {}), which it replaces", before.sha256);
        }
    }
    let index = Index::read(&workspace.index())?;
    match index.get(date) {
        None => report.push_str("\n  this date is not imported: `cargo xtask new-version` takes it in"),
        Some(entry) if entry.source_sha256 == record.sha256 => report.push_str("\n  the same as the one imported"),
        Some(entry) => {
            let _ = write!(
                report,
                "\n  differs from the one imported (sha256 {}): `cargo xtask diff {date} {}`",
                entry.source_sha256,
                file.display()
            );
        }
    }
    let _ = write!(report, "\n  {}", file.display());
    workspace.write_all([(file.clone(), answer.body), (record_file, toml::to_string(&record)?)])?;
    Ok(Fetched {
        #[cfg(test)]
        file,
        report,
    })
}

fn said(record: &Record) -> String {
    record.last_modified.as_deref().map_or("no last-modified date".to_owned(), |date| format!("last modified {date}"))
}

/// Whether a folder, there or not, lies in another one.
fn is_inside(folder: &Path, root: &Path) -> bool {
    let Ok(root) = root.canonicalize() else { return false };
    let existing = folder.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
    existing.is_some_and(|existing| existing.starts_with(&root))
}

/// An error page that comes with 200 is no document.
fn check(body: &str) -> Result<()> {
    let source = Source::parse("the answer", body)?;
    ensure!(source.value.get("openapi").is_some(), "there is no `openapi` key in it");
    Ok(())
}

#[derive(Debug)]
struct Answer {
    body: String,
    last_modified: Option<String>,
    etag: Option<String>,
}

fn download(url: &str) -> Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .user_agent(concat!("cintx-xtask/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let mut response = client.get(url).send().await.map_err(|error| match error.is_connect() {
            true => anyhow::Error::from(error).context("the host cannot be reached: is there a network?"),
            false => error.into(),
        })?;
        let status = response.status();
        if status == reqwest::StatusCode::NOT_FOUND {
            bail!("there is no document of this date (404)");
        }
        ensure!(status.is_success(), "the host answered {status}");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (last_modified, etag) = (header("last-modified"), header("etag"));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk);
            ensure!(bytes.len() <= MAX_BYTES, "the answer has more than {MAX_BYTES} bytes");
        }
        let body = String::from_utf8(bytes).context("the answer is not UTF-8 text")?;
        Ok(Answer { body, last_modified, etag })
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::fixture::{DATE, KENNELS, Temporary};

    /// Answers the requests in turn, then goes away.
    fn serve(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 2048];
                let read = stream.read(&mut request).unwrap();
                let asked = String::from_utf8_lossy(&request[..read]).into_owned();
                assert!(asked.starts_with(&format!("GET /specs/{DATE}.yaml ")), "{asked}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        format!("http://{address}/specs/{{date}}.yaml")
    }

    fn answer(status: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nlast-modified: Tue, 06 May 2031 00:00:00 GMT\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    }

    fn fetch(at: &Temporary, url: &str, cache: &Path) -> Result<Fetched, String> {
        let options = Options { date: DATE.to_owned(), url: url.to_owned(), cache: cache.to_owned() };
        run(&at.workspace, &options).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_document_comes_into_the_cache_and_is_compared() {
        let at = Temporary::with_kennels();
        let cache = tempfile::tempdir().unwrap();
        let changed = format!("{KENNELS}# another line\n");
        let url = serve(vec![answer("200 OK", KENNELS), answer("200 OK", &changed), answer("200 OK", &changed)]);
        let before = at.bytes();
        let first = fetch(&at, &url, cache.path()).unwrap();
        for said in ["new in the cache", "the same as the one imported", "last modified Tue, 06 May 2031", "sha256 "] {
            assert!(first.report.contains(said), "{}", first.report);
        }
        assert_eq!(std::fs::read_to_string(&first.file).unwrap(), KENNELS);
        let second = fetch(&at, &url, cache.path()).unwrap().report;
        assert!(second.contains("differs from the one in the cache"), "{second}");
        assert!(second.contains("differs from the one imported"), "{second}");
        let third = fetch(&at, &url, cache.path()).unwrap().report;
        assert!(third.contains("the same as in the cache"), "{third}");
        assert!(at.bytes() == before, "the repository stays as it was");
        // The server is gone by now.
        let error = fetch(&at, &url, cache.path()).unwrap_err();
        assert!(error.contains("nothing has changed; the cache has the one of last modified Tue, 06 May"), "{error}");
        assert!(error.contains("cannot be reached"), "{error}");
        assert_eq!(std::fs::read_to_string(first.file).unwrap(), changed);
    }

    #[test]
    fn what_is_no_document_is_not_taken() {
        let at = Temporary::with_kennels();
        let cache = tempfile::tempdir().unwrap();
        let url = serve(vec![
            answer("404 Not Found", ""),
            answer("500 Internal Server Error", ""),
            answer("200 OK", "<html><body>Moved</body></html>"),
        ]);
        assert!(fetch(&at, &url, cache.path()).unwrap_err().contains("no document of this date (404)"));
        assert!(fetch(&at, &url, cache.path()).unwrap_err().contains("answered 500"));
        assert!(fetch(&at, &url, cache.path()).unwrap_err().contains("did not answer with an OpenAPI document"));
        assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
        assert!(fetch(&at, "http://127.0.0.1:9/", cache.path()).unwrap_err().contains("has no {date}"));
        let inside = at.workspace.root().join("openapi/cache");
        assert!(fetch(&at, &url, &inside).unwrap_err().contains("is inside the repository"));
        let options = Options { date: "2026-02-31".to_owned(), url, cache: cache.path().to_owned() };
        assert!(run(&at.workspace, &options).unwrap_err().to_string().contains("is not a date"));
    }
}
