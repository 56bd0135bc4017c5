"""The notary: who is answerable, what was done, what is secret. It reads nobody above it."""
