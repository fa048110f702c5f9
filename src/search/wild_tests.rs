//! What words with `*` or `?` may take.

use tantivy::TantivyDocument;

use super::{
    tests::{Asking, users},
    *,
};
use crate::search::Index;

#[test]
fn a_word_that_stands_for_too_many_is_refused() {
    let index = Index::in_memory().unwrap();
    let fields = *index.fields();
    let mut writer = index.inner.writer_with_num_threads(1, 20 << 20).unwrap();
    let mut doc = TantivyDocument::new();
    let most = crate::search::compile::MOST_WORDS;
    let words: String = (0..=most).map(|number| format!("w{number} ")).collect();
    doc.add_text(fields.body, words + "last");
    writer.add_document(doc).unwrap();
    writer.commit().unwrap();
    index.reload().unwrap();
    let asking = Asking { index, users: users() };
    let refused = |query| asking.find(query, &Archives::All, |_| {}).unwrap_err().to_string();
    assert_eq!(
        refused("body:w*"),
        "body:w* stands for more words than are looked up at once: 10000 are allowed; write more letters of the word"
    );
    assert!(refused("w*-last").starts_with("w*-last"));
    assert_eq!(asking.find("w10*", &Archives::All, |_| {}).unwrap().total, 1);
}

#[test]
fn many_words_that_stand_for_nearly_too_many_each_took_gigabytes() {
    let index = Index::in_memory().unwrap();
    let fields = *index.fields();
    let mut writer = index.inner.writer_with_num_threads(1, 20 << 20).unwrap();
    let mut doc = TantivyDocument::new();
    doc.add_text(
        fields.body,
        (0..9_000).map(|number| format!("w{number} ")).collect::<String>(),
    );
    writer.add_document(doc).unwrap();
    writer.commit().unwrap();
    index.reload().unwrap();
    let asking = Asking { index, users: users() };
    let find = |query: &str| asking.find(query, &Archives::All, |_| {}).map(|found| found.total);
    assert_eq!(find(&"w* ".repeat(10)).unwrap(), 1);
    for many in ["w* ", "w* OR ", "w1-w* "] {
        let refused = find(&(many.repeat(499) + "w1"));
        assert!(matches!(refused, Err(FindError::WildInAll)), "{many}: {refused:?}");
    }
}

#[test]
fn by_relevance_each_of_many_words_took_a_set_of_all_documents() {
    let index = Index::in_memory().unwrap();
    let fields = *index.fields();
    let mut writer = index.inner.writer_with_num_threads(1, 64 << 20).unwrap();
    for _ in 0..120_000 {
        let mut doc = TantivyDocument::new();
        doc.add_text(fields.subject, "w w");
        writer.add_document(doc).unwrap();
    }
    writer.commit().unwrap();
    index.reload().unwrap();
    let asking = Asking { index, users: users() };
    let find = |query: &str| asking.find(query, &Archives::All, |wanted| wanted.order = SearchOrder::Relevance);
    assert!(matches!(find(&"subject:w*-w* ".repeat(490)), Err(FindError::WildInAll)));
    assert_eq!(find("subject:w* subject:w*-w*").unwrap().total, 120_000);
}
