//! Which parameter belongs to which group of `[optimizer]`, and one step of all groups.

use pleach_core::kinds::optimizer::{Again, Memory};
use pleach_core::param_groups::{OptimizerConfig, without_decay};
use pleach_core::{Error, Follow, GroupRates, Hyper, Optimizer, Params, Plug, Result, StepGroup, Tensor};
use std::collections::BTreeMap;
use wildmatch::WildMatch;

/// The groups of a run, over the parameters of its net.
#[derive(Debug)]
pub struct Groups {
    all: Vec<Group>,
    rates: Vec<GroupRates>,
}

/// Parameters that share an optimizer with all its values.
#[derive(Debug)]
struct Group {
    /// Under what the slots of the group as a whole are kept.
    key: String,
    plug: Plug<dyn Optimizer>,
    /// Which of the rates holds: those of `[optimizer]` are the first, then come the groups in the file's order.
    rates: usize,
    /// Its parameters, in the order of their names.
    names: Vec<String>,
}

/// What a step goes by.
pub struct Descent<'a> {
    /// The gradients by the names of their parameters.
    pub gradients: &'a BTreeMap<String, Tensor>,
    /// What they are yet to be multiplied by.
    pub scale: f64,
    /// Averages that are to move along.
    pub follow: Option<Follow<'a>>,
}

impl Groups {
    /// Sorts the parameters into the groups of the file, each to the first that matches it.
    ///
    /// # Errors
    /// A pattern matches no parameter (PL0403); an optimizer that works on all parameters together has groups (PL0405), or
    /// refuses the shape of one (PL0406).
    pub fn new(config: &OptimizerConfig, params: &Params) -> Result<Self> {
        let plugs: Vec<_> = std::iter::once(&config.plug).chain(config.group.iter().map(|g| &g.plug)).collect();
        let rates = plugs
            .iter()
            .map(|plug| GroupRates { lr: plug.lr(), momentum: plug.momentum(), initial_lr: plug.lr() })
            .collect();
        let mut taken: Vec<(Vec<String>, Vec<String>)> = vec![Default::default(); plugs.len()];
        let mut patterns = Vec::new();
        for (i, group) in config.group.iter().enumerate() {
            for pattern in &group.patterns {
                patterns.push((i + 1, pattern, WildMatch::new(pattern)));
            }
        }
        for (_, pattern, glob) in &patterns {
            if !params.iter().any(|(name, weight)| !weight.is_buffer() && glob.matches(name)) {
                return Err(no_match("[[optimizer.group]] match", pattern, params));
            }
        }
        for (name, weight) in params.iter().filter(|(_, weight)| !weight.is_buffer()) {
            let group = patterns.iter().find(|(_, _, glob)| glob.matches(name)).map_or(0, |(group, _, _)| *group);
            let spared =
                config.filter_bias_and_bn && (weight.var().rank() <= 1 || name == "bias" || name.ends_with(".bias"));
            if let Some((decayed, without)) = taken.get_mut(group) {
                if spared { without } else { decayed }.push(name.to_owned());
            }
        }
        let mut all = Vec::new();
        for (i, (plug, (decayed, without))) in plugs.into_iter().zip(taken).enumerate() {
            let spared = if without.is_empty() { plug.clone() } else { without_decay(plug)? };
            let parts =
                [(format!("group:{i}"), plug.clone(), decayed), (format!("group:{i}:no_decay"), spared, without)];
            all.extend(parts.into_iter().filter(|(_, _, names)| !names.is_empty()).map(|(key, plug, names)| Group {
                key,
                plug,
                rates: i,
                names,
            }));
        }
        for group in &all {
            for name in &group.names {
                let shape = params.get(name).map(|weight| weight.var().dims().to_vec()).unwrap_or_default();
                if let Some(why) = group.plug.refuses(&shape) {
                    let text = format!("{} cannot train `{name}`: {why}", group.plug.name());
                    return Err(Error::new("PL0406", text)
                        .hint("give such parameters a [[optimizer.group]] with another optimizer"));
                }
            }
        }
        match all.iter().find(|g| g.plug.one_group()) {
            Some(group) if all.len() > 1 => {
                let name = group.plug.name();
                Err(Error::new("PL0405", format!("{name} works on all parameters together and takes no groups"))
                    .hint("leave out [[optimizer.group]] and `filter_bias_and_bn`, or choose another optimizer"))
            }
            _ => Ok(Self { all, rates }),
        }
    }

    /// The rates with which training begins: of `[optimizer]`, then of each group of the file.
    pub fn rates(&self) -> Vec<GroupRates> {
        self.rates.clone()
    }

    fn hyper(&self, group: &Group, rates: &[GroupRates]) -> Hyper {
        let now = rates.get(group.rates).or(self.rates.get(group.rates));
        now.map_or(Hyper { lr: group.plug.lr(), momentum: group.plug.momentum() }, |r| Hyper {
            lr: r.lr,
            momentum: r.momentum,
        })
    }

    /// One step of every group; parameters without a gradient stay as they are. Returns the names of the averages that optimizers
    /// have moved on the way.
    ///
    /// # Errors
    /// An optimizer refuses a parameter.
    pub fn step(
        &self,
        params: &Params,
        by: &Descent<'_>,
        memory: &mut Memory,
        rates: &[GroupRates],
        again: &mut Again<'_>,
    ) -> Result<Vec<String>> {
        let Descent { gradients, scale, follow } = *by;
        if scale != 1.0 && !self.all.iter().all(|group| group.plug.takes_scale()) {
            let multiplied = gradients.iter().map(|(name, g)| Ok((name.clone(), (g * scale)?)));
            let gradients = &multiplied.collect::<Result<_>>()?;
            return self.step(params, &Descent { gradients, scale: 1.0, follow }, memory, rates, again);
        }
        let of_group = |group: &Group| group.names.iter().filter_map(|name| gradients.get(name).cloned()).collect();
        let all: Vec<Vec<Tensor>> = self.all.iter().map(of_group).collect();
        let mut moved = Vec::new();
        for (i, group) in self.all.iter().enumerate() {
            let others: Vec<Tensor> =
                all.iter().enumerate().filter(|(j, _)| *j != i).flat_map(|(_, list)| list).cloned().collect();
            let hyper = self.hyper(group, rates);
            let follow = follow.filter(|_| group.plug.moves_averages());
            let mut step = StepGroup { key: &group.key, params: Vec::new(), hyper, others: &others, scale, follow };
            for name in &group.names {
                if let (Some(gradient), Some(weight)) = (gradients.get(name), params.get(name)) {
                    step.params.push((name, weight, gradient.clone()));
                }
            }
            if !step.params.is_empty() {
                group.plug.step(&step, memory, Some(&mut *again))?;
                let there = |name: &&str| follow.is_some_and(|to| to.averages.contains_key(*name));
                moved.extend(step.params.iter().map(|(name, ..)| *name).filter(there).map(str::to_owned));
            }
        }
        Ok(moved)
    }

    /// All weights as they are to be evaluated and shipped, where an optimizer has others for that than it trains.
    ///
    /// # Errors
    /// What the optimizer remembers does not fit the parameters.
    pub fn eval_weights(
        &self,
        params: &Params,
        memory: &Memory,
        rates: &[GroupRates],
    ) -> Result<Option<BTreeMap<String, Tensor>>> {
        let mut others = BTreeMap::new();
        for group in &self.all {
            for name in &group.names {
                let (Some(weight), Some(slots)) = (params.get(name), memory.0.get(name)) else { continue };
                let now = weight.var().as_detached_tensor();
                if let Some(other) = group.plug.eval_weight(&now, slots, &self.hyper(group, rates))? {
                    others.insert(name.clone(), other);
                }
            }
        }
        if others.is_empty() {
            return Ok(None);
        }
        let mut all = params.snapshot()?;
        all.extend(others);
        Ok(Some(all))
    }
}

/// A pattern that matches nothing, with some names that there are.
pub(crate) fn no_match(what: &str, pattern: &str, params: &Params) -> Error {
    let some: Vec<_> = params.iter().map(|(n, _)| n).take(5).collect();
    Error::new("PL0403", format!("`{what}`: no parameter matches `{pattern}`"))
        .hint(format!("parameters are called {} ...", some.join(", ")))
}
