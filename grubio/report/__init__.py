"""What a person reads about a run: the report page, and a short summary for the terminal."""
