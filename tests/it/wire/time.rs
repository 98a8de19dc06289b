//! Time that passes only while everybody waits: what takes a minute on AWS takes none here.

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use jiff::SignedDuration;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A clock, and those who wait for it.
#[derive(Debug, Clone, Default)]
pub struct Time(Arc<Mutex<Clock>>);

#[derive(Debug, Default)]
struct Clock {
    now: Duration,
    sleepers: Vec<(Duration, Waker)>,
}

impl Time {
    /// What has passed.
    pub fn now(&self) -> SignedDuration {
        SignedDuration::try_from(self.0.lock().unwrap().now).unwrap()
    }

    /// Runs to the end.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let somebody = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&somebody));
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return done;
            }
            let goes_on = somebody.0.swap(false, Ordering::Relaxed) || self.pass();
            assert!(goes_on, "everybody waits, and nobody for the time");
        }
    }

    /// Lets time pass until the first of those who wait for it may go on; false where nobody does.
    pub fn pass(&self) -> bool {
        let mut clock = self.0.lock().unwrap();
        let Some(next) = clock.sleepers.iter().map(|(until, _)| *until).min() else { return false };
        clock.now = clock.now.max(next);
        let now = clock.now;
        for (_, waker) in clock.sleepers.extract_if(.., |(until, _)| *until <= now) {
            waker.wake();
        }
        true
    }
}

/// Whether somebody can go on without the time.
#[derive(Default)]
pub struct Woken(pub AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl AsyncSleep for Time {
    fn sleep(&self, duration: Duration) -> Sleep {
        let until = self.0.lock().unwrap().now + duration;
        Sleep::new(Sleeper { time: self.clone(), until })
    }
}

struct Sleeper {
    time: Time,
    until: Duration,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut clock = self.time.0.lock().unwrap();
        if clock.now >= self.until {
            return Poll::Ready(());
        }
        clock.sleepers.push((self.until, context.waker().clone()));
        Poll::Pending
    }
}
