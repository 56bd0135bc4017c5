"""How long what is kept, by which law, and how it is destroyed when its time is over."""
