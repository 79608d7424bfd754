"""The book of record: relational schema, migrations and queries, on SQLite or PostgreSQL."""
