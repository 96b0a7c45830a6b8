//! What a downloaded file is, told by its first bytes: a report in one of its formats, or something that was put in
//! its place.

use std::io::Write;

use cintx_raw::ByteStream;
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::error::Error;
use crate::types::serde_text::word;
use crate::version::Version;

/// How much of a file tells what it is.
pub(crate) const HEAD_BYTES: usize = 1_024;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReportFormat {
    /// Text in columns.
    Csv,
    /// A spreadsheet of Excel since 2007.
    Xlsx,
    /// A spreadsheet of Excel 2003, in XML.
    SpreadsheetMl,
    /// Something else.
    Unknown,
}

word!(ReportFormat: "a format: csv, xlsx, spreadsheet-ml or unknown");

/// A file that is no report: something between here and Cint gave an answer of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file is {got}, expected a report: {head:?}")]
pub struct NoReport {
    got: &'static str,
    head: String,
}

impl ReportFormat {
    /// What a file is, by its first bytes; a thousand are enough.
    ///
    /// ```
    /// use cintx::report::ReportFormat;
    ///
    /// assert_eq!(ReportFormat::of(b"rid,project_id\n")?, ReportFormat::Csv);
    /// assert_eq!(ReportFormat::of(b"PK\x03\x04")?, ReportFormat::Xlsx);
    /// let page = ReportFormat::of(b"<!doctype html><title>Sign in</title>").unwrap_err();
    /// assert!(page.to_string().starts_with("the file is an HTML page, expected a report"));
    /// # Ok::<(), cintx::report::NoReport>(())
    /// ```
    ///
    /// # Errors
    /// That it is an HTML page or JSON, of which no report is made.
    pub fn of(head: &[u8]) -> Result<Self, NoReport> {
        let head = &head[..head.len().min(HEAD_BYTES)];
        if head.starts_with(b"PK\x03\x04") {
            return Ok(Self::Xlsx);
        }
        // The last character may be cut in two.
        let text = String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
        let lower = text.trim_start().to_ascii_lowercase();
        let no_report = |got| {
            let head = text.trim_start().chars().take(80).collect();
            Err(NoReport { got, head })
        };
        match lower.as_bytes() {
            [b'{', ..] => no_report("a JSON object"),
            [b'[', ..] => no_report("a JSON array"),
            _ if lower.starts_with("<!doctype html") || lower.starts_with("<html") => no_report("an HTML page"),
            [b'<', ..] if lower.contains("<html") => no_report("an HTML page"),
            [b'<', ..] if lower.contains("urn:schemas-microsoft-com:office:spreadsheet") => Ok(Self::SpreadsheetMl),
            [b'<', ..] if lower.contains("excel.sheet") => Ok(Self::SpreadsheetMl),
            [b'<', ..] => Ok(Self::Unknown),
            text if text.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) => Ok(Self::Unknown),
            _ => Ok(Self::Csv),
        }
    }
}

/// Writes what comes to a writer, once its first bytes say that it is no answer of something between; and says what it
/// is and how many bytes it has.
pub(crate) async fn copy(mut content: ByteStream, out: &mut (impl Write + Send)) -> Result<(ReportFormat, u64), Error> {
    let (mut head, mut format, mut length) = (Vec::new(), None, 0);
    let unwritten = |error| Error::local("the writer that was given failed", error);
    while let Some(chunk) = content.try_next().await.map_err(|error| Error::local("the content broke off", error))? {
        length += chunk.len() as u64;
        if format.is_some() {
            out.write_all(&chunk).map_err(unwritten)?;
            continue;
        }
        head.extend_from_slice(&chunk);
        if head.len() >= HEAD_BYTES {
            format = Some(ReportFormat::of(&head).map_err(Error::other)?);
            out.write_all(&head).map_err(unwritten)?;
        }
    }
    let format = match format {
        Some(format) => format,
        None => {
            let format = ReportFormat::of(&head).map_err(Error::other)?;
            out.write_all(&head).map_err(unwritten)?;
            format
        }
    };
    out.flush().map_err(unwritten)?;
    Ok((format, length))
}

impl<V: Version> Report<V> {
    /// Writes its content to a writer as it comes, and says what it is. Nothing is written of what is no report. The
    /// writer is written to on this thread: a file, or memory.
    ///
    /// ```no_run
    /// # async fn run(report: cintx::report::Report<cintx::V2025_12_18>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut content = Vec::new();
    /// println!("{:?} of {} bytes", report.write_to(&mut content).await?, content.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// In every version, as [`download`](Self::download).
    ///
    /// # Errors
    /// That it is an HTML page or JSON; the writer's. See [when a call fails](crate::guide::failures).
    pub async fn write_to(&self, out: &mut (impl Write + Send)) -> Result<ReportFormat, Error> {
        Ok(copy(self.download().await?, out).await?.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_is_known_by_how_it_begins() {
        let xml = "<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?><Workbook>";
        let workbook =
            "\u{feff}<?xml version='1.0'?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">";
        for (head, format) in [
            ("", ReportFormat::Csv),
            ("\u{feff}rid;cost\r\n", ReportFormat::Csv),
            (xml, ReportFormat::SpreadsheetMl),
            (workbook, ReportFormat::SpreadsheetMl),
            ("<?xml version='1.0'?><error/>", ReportFormat::Unknown),
            ("\u{0}\u{1}", ReportFormat::Unknown),
            ("PK\u{3}\u{4}...", ReportFormat::Xlsx),
        ] {
            assert_eq!(ReportFormat::of(head.as_bytes()), Ok(format), "{head:?}");
        }
        assert_eq!(ReportFormat::of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Ok(ReportFormat::Unknown), "Excel 97");
        for (head, got) in [
            (" {\"title\":\"Not found\"}", "a JSON object"),
            ("[]", "a JSON array"),
            ("\n<HTML><body>", "an HTML page"),
            ("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>", "an HTML page"),
        ] {
            let error = ReportFormat::of(head.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the file is {got}, expected a report: ")), "{error}");
        }
    }

    #[tokio::test]
    async fn nothing_is_written_of_what_is_no_report() {
        let stream = |parts: &[&'static str]| {
            let parts: Vec<_> = parts.iter().map(|part| Ok::<_, std::io::Error>(bytes::Bytes::from(*part))).collect();
            ByteStream::new(futures_util::stream::iter(parts))
        };
        let mut out = Vec::new();
        let error = copy(stream(&["<!doc", "type html>"]), &mut out).await.unwrap_err();
        assert!(format!("{error:#}").contains("an HTML page"), "{error:#}");
        assert!(out.is_empty());
        let long: &'static str = Box::leak("a,b\n".repeat(400).into_boxed_str());
        let copied = copy(stream(&["rid,", long, "x,y\n"]), &mut out).await.unwrap();
        assert_eq!(copied, (ReportFormat::Csv, 1_608));
        assert_eq!(out, format!("rid,{long}x,y\n").as_bytes());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(head in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = ReportFormat::of(&head);
        }
    }
}
