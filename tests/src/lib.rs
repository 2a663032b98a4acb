//! Whole runs through the binary, and the laws of the workspace.
