//! Of which account and Region an event is.

use std::collections::BTreeSet;
use std::fmt;

/// Accounts that the Runtime Interface Emulator, other stand-ins for AWS and its documentation use. A function in one of them runs on
/// somebody's machine, and has no events but what that person gives it.
const STAND_INS: [&str; 3] = ["012345678912", "123456789012", "000000000000"];

/// The account and the Region of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    account: String,
    region: String,
}

impl Home {
    /// From the function's ARN; none where that is no ARN, or names the account of a stand-in for AWS.
    #[must_use]
    pub fn of_function(arn: &str) -> Option<Self> {
        let (region, account) = region_and_account(arn)?;
        (!STAND_INS.contains(&account)).then(|| Self { account: account.to_owned(), region: region.to_owned() })
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.account, self.region)
    }
}

/// Every account and Region that an alarm's event names: the alarm's own, and those of the metrics that it watches, which may be of
/// a monitored account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    accounts: BTreeSet<String>,
    regions: BTreeSet<String>,
}

impl Origin {
    /// Also of this account, where the event names one.
    #[must_use]
    pub fn and_account(mut self, account: Option<String>) -> Self {
        self.accounts.extend(account.filter(|account| !account.is_empty()));
        self
    }

    /// Also of this Region, where the event names one.
    #[must_use]
    pub fn and_region(mut self, region: Option<String>) -> Self {
        self.regions.extend(region.filter(|region| !region.is_empty()));
        self
    }

    /// Also of the account and the Region of this ARN, where it is one.
    #[must_use]
    pub fn and_arn(self, arn: Option<&str>) -> Self {
        let (region, account) = arn.and_then(region_and_account).unzip();
        self.and_account(account.map(str::to_owned)).and_region(region.map(str::to_owned))
    }

    /// The first account or Region that is not the function's. Endpoints elsewhere may have the same names.
    #[must_use]
    pub fn elsewhere(&self, home: &Home) -> Option<&str> {
        let account = self.accounts.iter().find(|account| **account != home.account);
        account.or_else(|| self.regions.iter().find(|region| **region != home.region)).map(String::as_str)
    }
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:…`
fn region_and_account(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.split(':');
    (parts.next() == Some("arn")).then_some(())?;
    parts.nth(1)?;
    Some((parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:endpoint-advisor";

    #[test]
    fn an_event_that_names_nothing_else_is_ours() {
        let home = Home::of_function(FUNCTION).unwrap();
        let alarm = Some("arn:aws:cloudwatch:us-east-1:111122223333:alarm:orders-latency");
        let ours = Origin::default().and_account(Some("111122223333".to_owned())).and_arn(alarm);
        assert_eq!(ours.elsewhere(&home), None);
        assert_eq!(Origin::default().and_account(None).and_region(None).and_arn(None).elsewhere(&home), None);
    }

    #[test]
    fn another_account_or_region_is_named() {
        let home = Home::of_function(FUNCTION).unwrap();
        assert_eq!(home.to_string(), "111122223333 in us-east-1");
        let of = |arn| Origin::default().and_arn(Some(arn)).elsewhere(&home).map(str::to_owned);
        assert_eq!(of("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders").as_deref(), Some("eu-west-1"));
        assert_eq!(of("arn:aws:cloudwatch:us-east-1:444455556666:alarm:orders").as_deref(), Some("444455556666"));
    }

    #[test]
    fn a_function_on_somebodys_machine_has_no_home() {
        for arn in ["function-arn", "", "arn:aws:lambda:us-east-1:012345678912:function:test_function"] {
            assert_eq!(Home::of_function(arn), None);
        }
    }
}
