"""Files from URLs, checked and cached, and the data that come with grubio."""
