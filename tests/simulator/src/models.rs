//! The models that one instance of a multi-model endpoint has loaded.

use crate::Cache;

/// The models that one instance has loaded or is loading.
#[derive(Debug, Clone)]
pub(crate) struct Models {
    capacity: usize,
    /// What is known of each model; by its number.
    known: Vec<Known>,
    /// The numbers of those that are loaded or loading, in no order.
    loaded: Vec<u32>,
    /// Counts the requests: the clock of what was used last.
    turn: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Known {
    is_loaded: bool,
    /// When it is, or was, ready.
    ready: f64,
    used: u64,
}

/// What a request finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// The model is there.
    Ready,
    /// Somebody else is loading it; ready then.
    Loading(f64),
    /// It has to be loaded.
    Missing,
}

impl Models {
    /// Holds the `popular` most popular models as far as there is room.
    pub fn new(cache: &Cache, popular: usize) -> Self {
        let mut models = Self { capacity: cache.capacity.max(1), known: Vec::new(), loaded: Vec::new(), turn: 0 };
        // The most popular last, so that it goes last.
        for model in (0..popular.min(models.capacity)).rev() {
            models.load(model as u32, 0.0);
        }
        models
    }

    /// Looks for a model.
    pub fn find(&mut self, model: u32, at: f64) -> Found {
        self.turn += 1;
        let turn = self.turn;
        let known = self.entry(model);
        if !known.is_loaded {
            return Found::Missing;
        }
        known.used = turn;
        if known.ready <= at { Found::Ready } else { Found::Loading(known.ready) }
    }

    /// Loads a model that is ready then; whether another one had to go for it.
    pub fn load(&mut self, model: u32, ready: f64) -> bool {
        let evicts = self.loaded.len() >= self.capacity;
        if evicts {
            let used = |place: &usize| self.known[self.loaded[*place] as usize].used;
            if let Some(oldest) = (0..self.loaded.len()).min_by_key(used) {
                let gone = self.loaded.swap_remove(oldest);
                self.known[gone as usize].is_loaded = false;
            }
        }
        self.turn += 1;
        let used = self.turn;
        *self.entry(model) = Known { is_loaded: true, ready, used };
        self.loaded.push(model);
        evicts
    }

    /// How many are loaded or loading.
    pub fn len(&self) -> usize {
        self.loaded.len()
    }

    fn entry(&mut self, model: u32) -> &mut Known {
        let place = model as usize;
        if place >= self.known.len() {
            self.known.resize(place + 1, Known::default());
        }
        &mut self.known[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut models = Models::new(&Cache { capacity: 2, load_seconds: 1.0, zipf: 1.0 }, 2);
        assert_eq!(
            (models.find(0, 1.0), models.find(1, 1.0), models.find(2, 1.0)),
            (Found::Ready, Found::Ready, Found::Missing)
        );
        assert_eq!(models.find(0, 2.0), Found::Ready);
        assert!(models.load(2, 5.0));
        assert_eq!((models.find(0, 3.0), models.find(1, 3.0), models.len()), (Found::Ready, Found::Missing, 2));
        assert_eq!((models.find(2, 3.0), models.find(2, 5.0)), (Found::Loading(5.0), Found::Ready));
    }
}
