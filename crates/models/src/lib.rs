//! Layers and networks with torchvision's parameter names.
