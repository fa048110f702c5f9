//! Whose mail it is.

/// The company's own domains; `bücher.example` is written in either form.
pub const DOMAIN: &str = "example.com";
const SECOND: &str = "example.org";
const IDNA: &str = "bücher.example";

/// A user of the appliance, with every address that reaches them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    /// As it stands before an address, unquoted.
    pub display: String,
    pub addresses: Vec<String>,
}

const PEOPLE: [(&str, &str); 24] = [
    ("Jane", "Doe"),
    ("John", "Smith"),
    ("Ada", "Young"),
    ("Ben", "Okafor"),
    ("Carla", "Rossi"),
    ("Dmitri", "Ivanov"),
    ("Elena", "Garcia"),
    ("Farid", "Haddad"),
    ("Grace", "Lee"),
    ("Hiro", "Tanaka"),
    ("Ines", "Silva"),
    ("Jörg", "Müller"),
    ("Katrin", "Weiß"),
    ("Liam", "O'Brien"),
    ("Mei", "Chen"),
    ("Nils", "Berg"),
    ("Olga", "Petrova"),
    ("Paul", "Martin"),
    ("Quentin", "Roy"),
    ("Rosa", "Kowalska"),
    ("Søren", "Holm"),
    ("Tariq", "Aziz"),
    ("Uma", "Patel"),
    ("Viktor", "Novak"),
];

/// Twenty-five users of one to three addresses each.
pub fn company() -> Vec<Person> {
    let mut people: Vec<_> = PEOPLE
        .iter()
        .enumerate()
        .map(|(n, (first, last))| person(n, first, last))
        .collect();
    people.push(Person {
        name: "archive robot".into(),
        display: "Robot, Archive".into(),
        // A local part that must be quoted.
        addresses: vec![format!("\"the robot\"@{DOMAIN}"), format!("robot@{DOMAIN}")],
    });
    people
}

fn person(number: usize, first: &str, last: &str) -> Person {
    let (first_ascii, last_ascii) = (ascii(first), ascii(last));
    let mut addresses = vec![format!("{first_ascii}@{DOMAIN}")];
    if number.is_multiple_of(2) {
        addresses.push(format!("{first_ascii}.{last_ascii}@{DOMAIN}"));
    }
    if number.is_multiple_of(3) {
        addresses.push(format!("{first_ascii}@{SECOND}"));
    }
    if number % 8 == 3 {
        addresses.push(format!("{last_ascii}@{IDNA}"));
    }
    Person {
        name: first_ascii,
        display: format!("{first} {last}"),
        addresses,
    }
}

fn ascii(name: &str) -> String {
    let lower = name.to_lowercase();
    lower.chars().fold(String::new(), |mut name, c| {
        match c {
            'ö' | 'ø' => name.push('o'),
            'ü' => name.push('u'),
            'ß' => name.push_str("ss"),
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ => {}
        }
        name
    })
}

/// A larger company: so many users, those of [`company`] first.
pub fn company_of(users: usize) -> Vec<Person> {
    let mut people = company();
    for number in people.len()..users {
        let (first, last) = PEOPLE[number % PEOPLE.len()];
        let more = person(number, &format!("{first}{number}"), &format!("{last}{number}"));
        people.push(more);
    }
    people.truncate(users);
    people
}

/// The people as the `[[user]]` tables of a configuration.
pub fn user_tables(people: &[Person]) -> String {
    people.iter().fold(String::new(), |mut text, person| {
        // TOML's basic strings escape as JSON's do.
        let addresses = serde_json::to_string(&person.addresses).expect("text");
        let name = serde_json::to_string(&person.name).expect("text");
        text.push_str(&format!("[[user]]\nname = {name}\naddresses = {addresses}\n"));
        text
    })
}
