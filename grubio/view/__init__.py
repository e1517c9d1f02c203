"""Drawings of labels as SVG and HTML, and the page that shows predictions."""
