"""The evening: what gateways bill is held against what we booked, and every difference has an end.

One *run* per channel and day fetches the *bill*, keeps it sealed as it came, loads its lines and
matches them set-wise against attempts and refunds. What does not match is a *difference*, found
once however often the run is repeated. A difference ends when the other side turns up, or by a
*resolution* that one person asks for, another agrees to, and the books show.
"""
