"""Tests that open what grubio writes in a browser and use it as a person would."""
