"""The notary: who is answerable, what was done, what is secret. The ground floor; it reads nobody."""
