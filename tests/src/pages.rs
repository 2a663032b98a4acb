//! The code of the pages, which is compiled as documentation tests.

macro_rules! pages {
    ($($name:ident: $path:literal),* $(,)?) => {
        $(#[doc = include_str!(concat!("../../docs/", $path))] pub struct $name;)*
    };
}

pages! {
    Augmentation: "plugins/augmentation.md",
    Backend: "plugins/backend.md",
    Command: "plugins/command.md",
    Importer: "plugins/importer.md",
    Keeper: "plugins/keeper.md",
    Loss: "plugins/loss.md",
    Metric: "plugins/metric.md",
    Model: "plugins/model.md",
    Observer: "plugins/observer.md",
    Optimizer: "plugins/optimizer.md",
    Scheduler: "plugins/scheduler.md",
    Source: "plugins/source.md",
    Task: "plugins/task.md",
}
