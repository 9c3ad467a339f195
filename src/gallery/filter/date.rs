//! Dates that leave off at the year, the month, the day or the minute.

use std::fmt;

/// A year, a month, a day or a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// As many digits of YYYYMMDDhhmm as are known.
    digits: i64,
    /// How many these are: 4, 6, 8 or 12.
    known: u32,
}

impl Period {
    /// `2024`, `2024-05`, `2024-05-01`, `2024-05-01 12:30`, also with `/` or `.` or a `T`, also without leading zeros.
    /// None for what is no date.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, time) = match text.trim().split_once([' ', 'T', 't']) {
            Some((day, time)) => (day, Some(time.trim_start())),
            None => (text.trim(), None),
        };
        let mut parts = day.split(['-', '/', '.']);
        let year = number(parts.next()?, 4..=4, 1..=9999)?;
        let month = parts.next().map(|m| number(m, 1..=2, 1..=12));
        let of_month = parts.next();
        if parts.next().is_some() {
            return None;
        }
        let (digits, known) = match (month, of_month, time) {
            (None, None, None) => (year, 4),
            (Some(month), None, None) => (year * 100 + month?, 6),
            (Some(month), Some(day), time) => {
                let month = month?;
                let day = number(day, 1..=2, 1..=days(year, month))?;
                let date = (year * 100 + month) * 100 + day;
                match time {
                    None => (date, 8),
                    Some(time) => {
                        let (hour, minute) = time.split_once(':')?;
                        let hour = number(hour, 1..=2, 0..=23)?;
                        (
                            date * 10_000 + hour * 100 + number(minute, 2..=2, 0..=59)?,
                            12,
                        )
                    }
                }
            }
            _ => return None,
        };
        Some(Self { digits, known })
    }

    /// Not above any moment of it, as YYYYMMDDhhmmss, and above all before it.
    pub fn first(self) -> i64 {
        self.digits * self.unit()
    }

    /// Not below any moment of it, as YYYYMMDDhhmmss, and below all after it.
    pub fn last(self) -> i64 {
        self.first() + self.unit() - 1
    }

    fn unit(self) -> i64 {
        10i64.pow(14 - self.known)
    }
}

/// A number of so many digits within these limits.
fn number(
    text: &str,
    length: std::ops::RangeInclusive<usize>,
    limits: std::ops::RangeInclusive<i64>,
) -> Option<i64> {
    let digits = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let value = digits.then(|| text.parse().ok())??;
    limits.contains(&value).then_some(value)
}

/// Of a month in the Gregorian calendar.
fn days(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// As a filter has it: what holds a space stands in quotation marks.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let digits = format!("{:0width$}", self.digits, width = self.known as usize);
        // Its digits are ASCII, so that any byte is a boundary.
        let part = |from: usize, to: usize| &digits[from..to];
        let day = || format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8));
        match self.known {
            4 => f.write_str(part(0, 4)),
            6 => write!(f, "{}-{}", part(0, 4), part(4, 6)),
            8 => f.write_str(&day()),
            _ => write!(f, "\"{} {}:{}\"", day(), part(8, 10), part(10, 12)),
        }
    }
}
