//! The text of PDF (ISO 32000), by pdf-extract, page by page: it panics over what it does not expect, and then the other
//! pages are still read. This must run in the child process alone.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use pdf_extract::{ConvertToFmt, Document, OutputError, PlainTextOutput, output_doc_page};

use super::output::{Output, Stop};

/// Takes the text of a page.
struct Page<'o> {
    out: &'o mut Output,
    /// Set once there is no room for more.
    is_full: &'o mut bool,
}

impl fmt::Write for Page<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.push(text).map_err(|_| {
            *self.is_full = true;
            fmt::Error
        })
    }
}

impl ConvertToFmt for Page<'_> {
    type Writer = Self;

    fn convert(self) -> Self {
        self
    }
}

/// Reads a document.
pub(super) fn read(document: &[u8], out: &mut Output) -> Result<(), Stop> {
    let opened = catch_unwind(|| open(document));
    let document = opened.unwrap_or_else(|_| Err(Stop::broken(BROKEN)))?;
    let pages = catch_unwind(AssertUnwindSafe(|| document.get_pages())).unwrap_or_default();
    if pages.is_empty() {
        return Err(Stop::broken("it is a PDF file without pages"));
    }
    for page in pages.into_keys() {
        let mut is_full = false;
        let read = catch_unwind(AssertUnwindSafe(|| {
            let page_of_it = Page {
                out: &mut *out,
                is_full: &mut is_full,
            };
            output_doc_page(&document, &mut PlainTextOutput::new(page_of_it), page)
        }));
        if is_full {
            return Err(Stop::Full);
        }
        if !matches!(read, Ok(Ok(()))) {
            out.fault("it has pages that cannot be read".into());
        }
        out.line()?;
    }
    Ok(())
}

const BROKEN: &str = "it is a broken PDF file";

fn open(document: &[u8]) -> Result<Document, Stop> {
    let mut document = Document::load_mem(document).map_err(|_| Stop::broken(BROKEN))?;
    // Many are encrypted so that anybody can read them, and nobody change them.
    if document.is_encrypted() {
        document
            .decrypt("")
            .map_err(OutputError::from)
            .map_err(|_| Stop::broken("it is encrypted"))?;
    }
    Ok(document)
}
