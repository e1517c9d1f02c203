"""Pages and figures about runs, and their comparison."""
