"""How the agent serves pages at the site: one small HTTP server, guarded, without a framework."""
