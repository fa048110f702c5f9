//! Something of each of some messages, by their UIDs. Servers answer about them in their order, nearly always, so the one
//! that is looked for is nearly always the next.

/// Values by UIDs.
pub(super) struct ByUid<T> {
    /// In the order of the UIDs.
    all: Vec<(u32, T)>,
    next: usize,
}

impl<T> ByUid<T> {
    /// Of several values of a UID, the first.
    pub fn new(all: impl Iterator<Item = (u32, T)>) -> Self {
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(uid, _)| *uid);
        all.dedup_by_key(|(uid, _)| *uid);
        Self { all, next: 0 }
    }

    pub fn get_mut(&mut self, uid: u32) -> Option<&mut T> {
        let at = match self.all.get(self.next) {
            Some((next, _)) if *next == uid => self.next,
            _ => self.place(uid)?,
        };
        self.next = at + 1;
        Some(&mut self.all[at].1)
    }

    pub fn get(&self, uid: u32) -> Option<&T> {
        self.place(uid).map(|at| &self.all[at].1)
    }

    fn place(&self, uid: u32) -> Option<usize> {
        self.all.binary_search_by_key(&uid, |(uid, _)| *uid).ok()
    }
}

#[test]
fn values_are_found_in_whatever_order_they_are_asked_for() {
    let mut values = ByUid::new([(9, 'c'), (3, 'a'), (5, 'b'), (3, 'x')].into_iter());
    let asked = [3, 5, 9, 10, 3, 9, 5, 4, 9].map(|uid| values.get_mut(uid).copied());
    let expected = [
        Some('a'),
        Some('b'),
        Some('c'),
        None,
        Some('a'),
        Some('c'),
        Some('b'),
        None,
        Some('c'),
    ];
    assert_eq!(asked, expected);
    assert_eq!((values.get(5), values.get(6)), (Some(&'b'), None));
}
