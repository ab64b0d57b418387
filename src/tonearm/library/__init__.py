"""What is known about the music, in a database. The only package that knows SQLAlchemy."""
