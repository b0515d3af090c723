"""What the files mean together: knows Django, and does no I/O outside `layout`."""
