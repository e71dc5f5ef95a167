"""Where do riders need the next station?"""
