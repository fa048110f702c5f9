//! What is found is what the library finds, whatever is asked.

use std::collections::BTreeSet;

use tantivy::{DocAddress, TantivyDocument, collector::DocSetCollector, indexer::NoMergePolicy};

use super::*;
use crate::search::{Index, View};

const DOCUMENTS: u64 = 9_000;

/// Words that each of so many documents has, and phrases of them; in parts, and with deletions.
fn index() -> Index {
    let index = Index::in_memory().unwrap();
    let fields = *index.fields();
    let mut writer = index.inner.writer_with_num_threads(1, 20 << 20).unwrap();
    writer.set_merge_policy(Box::new(NoMergePolicy));
    for id in 0..DOCUMENTS {
        let mut document = TantivyDocument::new();
        document.add_u64(fields.id, id);
        document.add_u64(fields.users, id % 5);
        // In one part nobody has a date.
        if id < DOCUMENTS / 2 {
            document.add_i64(fields.date, (id as i64).wrapping_mul(7919) % 1000 - 500);
        }
        document.add_u64(fields.size, id / 3);
        let every = |nth: u64| {
            if id.is_multiple_of(nth) {
                format!("each{nth} ")
            } else {
                String::new()
            }
        };
        document.add_text(
            fields.body,
            format!("all {}{}{}{}", every(2), every(3), every(50), every(1000)),
        );
        document.add_text(fields.subject, format!("{}{}", every(7), every(700)));
        writer.add_document(document).unwrap();
        if id == DOCUMENTS / 2 - 1 || id == DOCUMENTS - 100 {
            writer.commit().unwrap();
        }
    }
    for id in (0..DOCUMENTS / 2).step_by(11) {
        writer.delete_term(Term::from_field_u64(fields.id, id));
    }
    writer.commit().unwrap();
    index.reload().unwrap();
    index
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn plan(&mut self, view: &View, depth: u32) -> Plan {
        let fields = view.fields;
        let word = |random: &mut Self| {
            let words = [
                "all", "each2", "each3", "each50", "each1000", "each7", "each700", "none",
            ];
            let field = if random.below(2) == 0 {
                fields.body
            } else {
                fields.subject
            };
            Term::from_field_text(field, words[random.below(8) as usize])
        };
        let some = |random: &mut Self, least: u64| -> Vec<Plan> {
            (0..least + random.below(3))
                .map(|_| random.plan(view, depth - 1))
                .collect()
        };
        match self.below(if depth == 0 { 7 } else { 10 }) {
            0 => Plan::Everything,
            1 => Plan::Nothing,
            2 | 3 => Plan::Term(word(self)),
            4 => {
                let terms = (0..self.below(4)).map(|user| Term::from_field_u64(fields.users, user));
                Plan::one_of(terms.collect(), &view.searcher).unwrap()
            }
            5 => {
                let from = self.below(1200) as i64 - 600;
                match self.below(2) {
                    0 => Plan::Sent(fields.date, from..=from + self.below(400) as i64),
                    _ => Plan::OfSize(fields.size, from.unsigned_abs()..=3 * from.unsigned_abs()),
                }
            }
            6 => {
                let row = ["all", "each2", "each3"].map(|word| Term::from_field_text(fields.body, word));
                Plan::phrase(row[self.below(2) as usize..].to_vec(), &view.searcher).unwrap()
            }
            7 => Plan::Boosted(Box::new(self.plan(view, depth - 1)), 2.0),
            8 => Plan::any(some(self, 0)),
            _ => {
                let all = some(self, 1);
                Plan::All(all, some(self, 0))
            }
        }
    }
}

#[test]
fn it_is_what_the_library_finds() {
    let view = index().view().unwrap();
    assert_eq!(view.searcher.segment_readers().len(), 3);
    let mut random = Random(1);
    let mut found_some = 0;
    for nth in 0..1_000 {
        let plan = random.plan(&view, 3);
        let expected = view.searcher.search(&plan.search(), &DocSetCollector).unwrap();
        let expected: BTreeSet<DocAddress> = expected.into_iter().collect();
        let mut found = BTreeSet::new();
        for (ord, part) in (0..).zip(view.parts()) {
            let bits = part.find(&plan).unwrap();
            found.extend(bits.iter().map(|document| DocAddress::new(ord, document)));
        }
        assert!(found == expected, "plan {nth}: {} and {}", found.len(), expected.len());
        found_some += usize::from(!found.is_empty() && found.len() < DOCUMENTS as usize / 2);
    }
    assert!(found_some > 200, "{found_some}");
}
