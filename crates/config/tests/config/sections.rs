//! What each section takes, what it leaves to defaults, and what it understands of other systems' files.

use crate::common::{LEAST, right, shown};
use pleach_config::run::{ClipAlgorithm, Limit};
use pleach_core::Precision;

fn trainer(keys: &str) -> String {
    format!("{LEAST}[trainer]\n{keys}\n")
}

#[test]
fn three_lines_are_a_run_with_every_default() {
    let run = right(LEAST).run;
    assert_eq!((run.run.name.as_str(), run.run.seed), ("run", 0));
    assert_eq!(run.loss.iter().map(|l| l.plug.name()).collect::<Vec<_>>(), ["ClassLoss"]);
    assert_eq!(run.optimizer.plug.name(), "AdamW");
    assert!(run.scheduler.is_none() && run.early_stopping.is_none() && run.phase.is_empty());
    assert_eq!(run.logging.iter().map(|l| l.name()).collect::<Vec<_>>(), ["JsonLines", "Csv", "Curves"]);
    let names = |list: &Option<Vec<pleach_core::kinds::metric::MetricConfig>>| {
        list.iter().flatten().map(|m| m.plug.name()).collect::<Vec<_>>()
    };
    assert_eq!((names(&run.metrics.val), names(&run.metrics.test)), (vec!["Hits".into()], vec!["Hits".into()]));
    assert_eq!(
        [run.backend.train.name(), run.backend.kernels.name(), run.backend.eval.name()],
        ["CandleCpu", "Cpu", "CandleCpu"]
    );
    assert_eq!((run.dataloader.train.shuffle, run.dataloader.val.shuffle), (Some(true), Some(false)));
    assert_eq!(run.checkpointing.monitor, ["train_loss"]);
    assert_eq!(right(&format!("{LEAST}dataset.val = 'Nowhere'")).run.checkpointing.monitor, ["val_loss"]);
}

#[test]
fn the_record_is_always_among_the_loggers() {
    let names = |text: &str| right(&format!("{LEAST}{text}")).run.logging.iter().map(|l| l.name()).collect::<Vec<_>>();
    assert_eq!(names("logging = 'CSVLogger'"), ["JsonLines", "Csv"]);
    assert_eq!(names("[[logging]]\nname = 'Csv'\n[[logging]]\nname = 'JsonLines'"), ["Csv", "JsonLines"]);
    assert_eq!(names("logging = false"), ["JsonLines"]);
}

#[test]
fn loaders_share_the_section_and_differ_where_it_says_so() {
    let text = "[dataloader]\nbatch_size = 8\nnum_workers = 0\n[dataloader.val]\nbatch_size = 64\n[dataloader.train]\nshuffle = false";
    let all = right(&format!("{LEAST}{text}")).run.dataloader;
    assert_eq!([all.train.batch_size, all.val.batch_size, all.test.batch_size], [8, 64, 8]);
    assert_eq!([all.train.num_workers, all.val.num_workers], [Some(0), Some(0)]);
    assert_eq!(all.train.shuffle, Some(false));
    let shown = shown(&format!("{LEAST}[dataloader]\nbatchsize = 8\nbatch_size = 0\n[dataloader.test]\nshufle = true"));
    assert_eq!(shown.matches("unknown parameter").count(), 2, "{shown}");
    assert_eq!(shown.matches("must be at least 1").count(), 1, "{shown}");
}

#[test]
fn lists_may_be_one_item_and_metrics_are_lists_by_split() {
    let text = "task = 'Painting'\nmodel = { name = 'OneLayer', freeze = 'encoder.*' }\nloss = 'MaskLoss'\n\
        dataset.train = { name = 'Nowhere', augment = 'Mirror' }\ndataset.val = 'Nowhere'\n\
        metrics = { val = ['Overlap'], train = 'Overlap', test = false }\ncheckpointing.monitor = 'val_mean_overlap'";
    let run = right(text).run;
    assert_eq!((run.loss.len(), run.dataset.train.slot.augment.len(), run.metrics.train.len()), (1, 1, 1));
    assert_eq!(run.metrics.test.map(|m| m.len()), Some(0));
    assert_eq!(run.model.slot.freeze, ["encoder.*"]);
}

#[test]
fn the_trainer_understands_other_files() {
    let t = right(&trainer(
        "max_epochs = -1\naccelerator = 'auto'\ndevices = [0]\nstrategy = 'auto'\nprecision = 64\nfast_dev_run = true\n\
         profiler = 'simple'\nlimit_train_batches = 10\nlimit_val_batches = 0.5\ndeterministic = true\nbenchmark = false\n\
         num_sanity_val_steps = 0\nsync_batchnorm = false\ngradient_clip_val = 1\ngradient_clip_algorithm = 'value'\n\
         val_check_interval = 1.0\nlogger = true\nnum_nodes = 1",
    ))
    .run
    .trainer;
    assert_eq!((t.max_epochs, t.precision, t.fast_dev_run.0), (-1, Precision::F64, 1));
    assert_eq!((t.limit_train_batches, t.limit_val_batches), (Limit::Count(10), Limit::Share(0.5)));
    assert_eq!((t.limit_train_batches.of(3), t.limit_val_batches.of(9)), (3, 4));
    assert_eq!((t.gradient_clip_val, t.gradient_clip_algorithm), (Some(1.0), ClipAlgorithm::Value));
    assert_eq!((t.accelerator, t.strategy), (None, None));
    for devices in ["1", "-1", "'auto'", "'1'", "[3]"] {
        right(&trainer(&format!("devices = {devices}")));
    }
    assert_eq!(right(&trainer("fast_dev_run = 3")).run.trainer.fast_dev_run.0, 3);
    assert_eq!(right(&trainer("fast_dev_run = false")).run.trainer.fast_dev_run.0, 0);
}

#[test]
fn what_the_trainer_does_not_do_is_refused_with_the_reason_and_what_to_write() {
    for (line, part) in [
        ("gpus = 2", "write `accelerator = \"cpu\"`, or `train = \"...\"` under [backend]"),
        ("num_nodes = 2", "a run uses one machine"),
        ("auto_lr_find = true", "write `lr` under [optimizer]"),
        ("val_check_interval = 0.25", "write `val_every_n_steps`, in optimizer steps"),
        ("callbacks = ['EMA']", "write [[observer]]"),
        ("logger = 'csv'", "write [[logging]]"),
        ("default_root_dir = '.'", "use `pleach train --out DIR`"),
        ("resume_from_checkpoint = 'x'", "use `pleach resume RUN`"),
        ("benchmark = true", "leave it out"),
        ("detect_anomaly = true", "a NaN or infinite loss always stops the run"),
        ("overfit_batches = 4", "write `limit_train_batches`"),
        ("num_sanity_val_steps = 2", "`fast_dev_run = true`"),
        ("enable_model_summary = true", "use `pleach check RUN.toml`"),
        ("devices = 2", "this program trains on one device"),
        ("devices = [0, 1]", "this program trains on one device"),
        ("strategy = 'ddp'", "no strategy `ddp` shares the work"),
        ("profiler = 'pytorch'", "write \"simple\""),
        ("precision = 'bf16-true'", "write \"16-mixed\" or \"bf16-mixed\""),
        ("accelerator = 'gpu'", "backends that can train: CandleCpu, Narrow"),
        ("accelerator = 'tpu'", "no backend for the accelerator `tpu`"),
    ] {
        let shown = shown(&trainer(line));
        assert!(shown.starts_with("PL0124  ") && shown.contains(part), "{line}:\n{shown}");
        assert!(shown.contains("--> run.toml:5:") && shown.matches("PL01").count() == 1, "{line}:\n{shown}");
    }
    let shown = shown(&format!("{LEAST}checkpointing.mode = 'min'\ndataloader.pin_memory = true"));
    assert!(shown.contains("which way is up is known") && shown.contains("[dataloader] does not take"), "{shown}");
}

#[test]
fn early_stopping_is_a_table_and_off_without_one() {
    let with = |text: &str| right(&format!("{LEAST}dataset.split.val = 0.2\n{text}")).run.early_stopping;
    assert_eq!(with("[early_stopping]").map(|o| o.name()), Some("EarlyStopping".into()));
    assert_eq!(with("early_stopping = 'EarlyStopping'").map(|o| o.name()), Some("EarlyStopping".into()));
    assert!(
        with("early_stopping = false").is_none() && with("early_stopping = 'none'").is_none() && with("").is_none()
    );
}

#[test]
fn phases_override_sections() {
    let run = right(&format!(
        "{LEAST}[[phase]]\nname = 'first'\nmax_epochs = 2\nfreeze = 'encoder.*'\noptimizer = 'SGD'\n\
         [[phase]]\nname = 'second'\nmax_steps = 10\nloss = ['ClassLoss']\nscheduler = 'Stairs'\n\
         [phase.dataset.train]\nname = 'Shelf'\nroot = 'more'\naugment = ['Mirror']"
    ))
    .run;
    let [first, second] = run.phase.as_slice() else { panic!("two phases") };
    assert_eq!(
        (first.name.as_str(), first.max_epochs, first.freeze.as_ref().map(Vec::len)),
        ("first", Some(2), Some(1))
    );
    assert_eq!(first.optimizer.as_ref().map(|o| o.plug.name()), Some("SGD".into()));
    assert!(first.dataset.is_none() && first.loss.is_none());
    assert_eq!(second.dataset.as_ref().map(|d| d.train.slot.augment.len()), Some(1));
    assert_eq!((second.loss.as_ref().map(Vec::len), second.max_steps), (Some(1), Some(10)));
    let shown = shown(&format!("{LEAST}[[phase]]\nmax_epoch = 2\n"));
    assert!(shown.contains("[[phase]] needs `name`") && shown.contains("did you mean `max_epochs`?"), "{shown}");
}

#[test]
fn the_name_of_a_run_is_fit_for_a_folder() {
    for name in ["", "a/b", "..", "C:x", "a\tb"] {
        let out = shown(&format!("{LEAST}run.name = {name:?}"));
        assert!(out.starts_with("PL0108  [run]: it is a part of a folder's name"), "{out}");
    }
}

#[test]
fn what_is_understood_and_has_no_effect_is_said_and_is_no_mistake() {
    let run = right(&format!("{LEAST}[optimizer]\nname = \"AdamW\"\nforeach = true\n"));
    let remarks = run.remarks().render(pleach_config::Paint::Plain);
    assert!(remarks.contains("`foreach` of optimizer AdamW has no effect here"), "{remarks}");
    assert!(remarks.contains("run.toml:6:1"), "{remarks}");
    let again = right(run.toml());
    assert_eq!(again.remarks().diagnostics.len(), 1, "true stays true in the resolved text");
    let silent = right(right(LEAST).toml());
    assert!(silent.remarks().diagnostics.is_empty());
}

#[test]
fn a_phase_takes_the_runs_scheduler_or_none_or_its_own() {
    let run = right(&format!(
        "{LEAST}scheduler = 'Stairs'\n[[phase]]\nname = 'a'\n[[phase]]\nname = 'b'\nscheduler = false\n\
         [[phase]]\nname = 'c'\nscheduler = 'none'\n[[phase]]\nname = 'd'\nscheduler.name = 'ReduceLROnPlateau'\n\
         scheduler.monitor = 'train_loss'\n"
    ));
    let names = |run: &pleach_config::Run| {
        let of = |phase: &pleach_config::run::Phase| phase.scheduler.or(run.scheduler.as_ref()).map(|s| s.plug.name());
        run.phase.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(names(&run.run), [Some("Stairs".into()), None, None, Some("ReduceLROnPlateau".into())]);
    let again = right(run.toml());
    assert_eq!(again.run, run.run);
    let back: pleach_config::Run = pleach_core::saved::load(&run.saved().expect("saved")).expect("loaded");
    assert_eq!(back, run.run);
}

#[test]
fn a_scheduler_that_no_phase_uses_need_not_be_served() {
    let text = format!("{LEAST}scheduler = 'ReduceLROnPlateau'\n[[phase]]\nname = 'a'\n");
    assert!(shown(&text).contains("PL0121"), "there is nothing to validate on");
    right(&format!("{text}scheduler = false\n"));
}
