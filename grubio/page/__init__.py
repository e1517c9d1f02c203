"""A trained model as one HTML page that labels in the browser, without a server or a network."""
