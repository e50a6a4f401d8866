"""Pictures of networks and plots of training: `network` draws, `plots` writes files.

`notebook` registers what notebooks show for modules and histories.
"""
