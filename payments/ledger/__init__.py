"""The books. They record claims (who owes whom), they do not hold money.

Every fact about money is one journal: postings that add up to zero in each currency. A debit is
positive, a credit negative. Journals and postings are never changed or deleted; a mistake is
corrected by another journal. The database itself refuses anything else.
"""
