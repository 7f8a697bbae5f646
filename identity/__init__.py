"""Who is this, and what are they to this case?"""
