//! When a profile runs, in words.

use super::super::bilingual::texts;

texts! {
    by_hand: "by hand", "von Hand";
    continuous: "as soon as mail arrives", "sobald Mail eintrifft";
    every: "every {0}", "alle {0}";
    every_one: "every {0}", "jede {0}";
    at: "at {0}", "um {0} Uhr";
    each_hour: "each hour at minute {0}", "jede Stunde zur Minute {0}";
    each_hour_between: "each hour at minute {0}, from {1} to {2}", "jede Stunde zur Minute {0}, von {1} bis {2} Uhr";
    every_between: "every {0} minutes from {1} to {2}", "alle {0} Minuten von {1} bis {2} Uhr";
    every_day: "every day", "jeden Tag";
    on_days: "on {0}", "{0}";
    on_day_of_month: "on day {0} of each month", "am {0}. jedes Monats";
    to: "to", "bis";
    and: "and", "und";
    monday: "Monday", "Montag";
    tuesday: "Tuesday", "Dienstag";
    wednesday: "Wednesday", "Mittwoch";
    thursday: "Thursday", "Donnerstag";
    friday: "Friday", "Freitag";
    saturday: "Saturday", "Samstag";
    sunday: "Sunday", "Sonntag";
}
