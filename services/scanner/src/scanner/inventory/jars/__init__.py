"""Reading archives of Java."""
